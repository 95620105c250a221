"""Mobile students: small networks that learn from pairs, and become painters."""
