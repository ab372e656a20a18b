"""The Chalice app by its own construct, which here neither downloads nor leaves anything behind."""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

from aws_cdk import aws_s3_assets as assets
from aws_cdk.cloudformation_include import CfnInclude
from chalice.cdk import Chalice
from chalice.cli.factory import CLIFactory
from chalice.package import create_app_packager
from constructs import Construct

from cdk.assets import ROOT, RUNTIME, module_file, staged
from cdk.errors import WrongInput

FUNCTION: Final = "AWS::Serverless::Function"
_API: Final = ROOT / "api"
Template = dict[str, Any]


class GatewayApp(Chalice):
    """Chalice's packager runs pip, and stamps its zip with the time: the code is our own asset.

    What remains Chalice's is the template that it makes of `api/app.py`: routes, functions,
    permissions. `amend` may change it before it is included. `functions` are all that may be in
    it, by Chalice's names: whoever includes them gives each its role and its shape.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: dict[str, Any],
        functions: Collection[str],
        amend: Callable[[Template], Template],
    ) -> None:
        self._code = staged("gateway", _sources(), packages="gateway")
        self._amend = amend
        self._functions = functions
        with tempfile.TemporaryDirectory() as folder:
            self._folder = Path(folder)
            project = _project(self._folder / "project", self._code)
            super().__init__(scope, id_, source_dir=str(project), stage_config=settings)

    @property
    def template(self) -> CfnInclude:
        return self.sam_template

    def _package_app(self) -> None:
        """As Chalice does, but neither AWS' settings nor the environment are read or written."""
        with _as_it_was(), contextlib.redirect_stdout(io.StringIO()):
            factory = CLIFactory(self.source_dir, environ={})
            config = factory.create_config_obj(
                self.stage_name, user_provided_params=dict(self.stage_config or {})
            )
            packager = create_app_packager(config, _PackageOptions())  # type: ignore[arg-type]
            packager.package_app(config, str(self._folder), self.stage_name)

    def _generate_sam_template_with_assets(self, chalice_out_dir: str, package_id: str) -> str:
        del chalice_out_dir, package_id  # a folder in the working directory, by a random name
        code = assets.Asset(self, "Code", path=str(self._code))
        template = json.loads((self._folder / "sam.json").read_text("utf-8"))
        for name, resource in template["Resources"].items():
            if resource["Type"] == FUNCTION:
                self._check_declared(name)
                resource["Properties"] |= {
                    "Runtime": RUNTIME,
                    "CodeUri": {"Bucket": code.s3_bucket_name, "Key": code.s3_object_key},
                }
        amended = self._folder / "amended.json"
        amended.write_text(json.dumps(self._amend(template)), "utf-8")
        return str(amended)

    def _check_declared(self, name: str) -> None:
        """Of a schedule or an event, for instance: Chalice makes a function of each."""
        if name not in self._functions:
            raise WrongInput(
                f"api/app.py: Chalice makes a function {name} of it, which has neither role nor "
                "shape in cdk/constructs/api/functions.py; there are: "
                f"{', '.join(self._functions)}"
            )


class _PackageOptions:
    """Instead of Chalice's own, which asks botocore, which reads profiles and credentials."""

    def service_principal(self, service: str) -> str:
        return f"{service}.amazonaws.com"


def _sources() -> dict[str, Path]:
    """What Chalice's packager would put there, too."""
    chalice = module_file("chalice").parent
    return {
        "app.py": _API / "app.py",
        "chalicelib": _API / "chalicelib",
        "chalice/__init__.py": chalice / "__init__.py",
        "chalice/app.py": chalice / "app.py",
    }


def _project(folder: Path, code: Path) -> Path:
    """A Chalice project without requirements: there is nothing to install."""
    (folder / ".chalice").mkdir(parents=True)
    (folder / ".chalice/config.json").write_bytes((_API / ".chalice/config.json").read_bytes())
    (folder / "app.py").symlink_to(code / "app.py")
    (folder / "chalicelib").symlink_to(code / "chalicelib")
    return folder


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Chalice leaves the project on the import path, itself in the environment, and bytecode."""
    path, environment = sys.path.copy(), dict(os.environ)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder is hashed
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        sys.path[:] = path
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
