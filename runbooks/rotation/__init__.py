"""What the steps of a rotation work with: both stacks' secrets, what a site has of them, and its deployment."""
