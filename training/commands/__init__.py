"""The data scientist's verbs, one module each; every one answers on standard output and refuses with every fault."""
