"""From raw customer events to an explained list of the customers who are about to leave."""

__version__ = "0.1.0"
