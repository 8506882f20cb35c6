"""The door in front of the edge's APIs: who may ask a DNS authority and the CDN for what."""
