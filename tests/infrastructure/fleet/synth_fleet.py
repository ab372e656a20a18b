"""`python synth_fleet.py <engines.toml> <folder>`: the fleet of dev with other engines.

In a process of its own: one that synthesised once has CDK's state of that synth.
"""

import sys
from pathlib import Path

from aws_cdk import App

from cdk.deployment import Deployment, Sources
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.fleet import FleetStack
from cdk.stacks.namespaces import NamespacesStack
from cdk.stacks.network import NetworkStack

if __name__ == "__main__":
    engines, folder = map(Path, sys.argv[1:])
    app = App(outdir=str(folder))
    deployment = Deployment.read("dev", sources=Sources(engines=engines))
    network = NetworkStack(app, deployment)
    data = DataStack(app, deployment)
    cluster = ClusterStack(app, deployment, network=network)
    namespaces = NamespacesStack(app, deployment, cluster=cluster)
    FleetStack(app, deployment, network=network, data=data, cluster=cluster, namespaces=namespaces)
    app.synth()
