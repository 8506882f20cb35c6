"""A complete Kubernetes on one host: certificates, components, images and add-ons of a site's cluster."""
