"""What watches the platform, in the cluster: one module a component, each a pure function."""
