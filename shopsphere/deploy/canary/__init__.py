"""A program whose every declaration the policy pack must refuse: `shopsphere.deploy.arming` previews it."""
