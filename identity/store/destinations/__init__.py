"""SQL of destinations: their definitions, disclosures, deliveries and the change feed."""
