"""PyVRP's metaheuristic over what it can express of a problem, on several processes; the full rules come after it."""
