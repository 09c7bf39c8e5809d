"""What drove the risks of many patients, in whom it was otherwise, and what has shifted: told from receipts, and of nobody alone.

It reads what was answered and computes no score anew: whom another model would score otherwise, `audit replay --with` tells.
"""
