"""The demo: the whole product on one machine, with a broker, a database and a simulated commune of its own."""
