"""portraitist: a few photos of one person in, portraits that are truly that person out."""

__version__ = "0.1.0"
