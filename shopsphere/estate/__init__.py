"""What is declared, without Pulumi: stacks and their files, configuration, workloads, databases, placement."""
