"""
Warm-ups
========

Where the first update goes.
"""

import jaxsched as js

js.plot({"default": js.warmup(1.0, 5), "classic": js.warmup(1.0, 5, init_value=0.0)}, 8)
