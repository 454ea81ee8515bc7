"""WHAT A BROWSER LOADS: the explorer's page and assets."""
