"""WHAT A BROWSER LOADS: the explorer, its page and its assets."""
