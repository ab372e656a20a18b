"""Objects that the whole cluster shares."""

from typing import Any, Final

Manifest = dict[str, Any]

STORAGE_CLASS: Final = "gp3"


def network_policies_on() -> Manifest:
    """Auto Mode takes NetworkPolicies, but enforces none before it finds this."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
        "data": {"enable-network-policy-controller": "true"},
    }


def storage_class() -> Manifest:
    """Auto Mode brings the driver, but no class. A volume goes with its claim, and its bill too."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "ebs.csi.eks.amazonaws.com",
        "volumeBindingMode": "WaitForFirstConsumer",  # in the zone where the pod will be
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": True,
        "parameters": {"type": "gp3", "encrypted": "true"},
    }
