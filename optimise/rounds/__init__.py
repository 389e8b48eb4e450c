"""Tomorrow's rounds: which bins, which vehicle, which order, and why.

`planner` is the rim: it loads, calls the rest in order and saves. All else is a function of values: `policy` prices
each bin, `travel` measures the streets, `problem` states the task, `engines` solve it, `check` judges, `explain`
gives the reasons.
"""
