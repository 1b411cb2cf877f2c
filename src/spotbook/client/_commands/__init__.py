"""The typed methods, each once: a function from its arguments to an `Ask`, whose words are the method's own.

To add one: a function here, a model for its result, and a line in each face.
"""
