"""WHAT RUNS: app.py joins transport/, which carries GraphQL, commands/, and local/, which is what `up` brings."""
