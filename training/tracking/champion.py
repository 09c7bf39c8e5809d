"""The alias `champion` in MLflow's registry: which registered version it names, and how it is moved when a model is promoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.refused import NotSupported
from training.tracking.mlflow_store import client_of, sqlite_file
from training.tracking.reachable import without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
_DIGEST, _LEDGER = "lymphorisk.digest", "lymphorisk.ledger"


@dataclass(frozen=True)
class Registry:
    """A registered model in an MLflow store."""

    uri: str
    name: str

    @property
    def there(self) -> bool:
        """Whether the store has a model of that name; an SQLite store that is not there is not made. Raises NotSupported."""
        if (path := sqlite_file(self.uri)) is not None and not path.exists():
            return False
        client = self._client()
        from mlflow.exceptions import MlflowException

        try:
            return bool(client.search_registered_models(f"name='{self.name}'"))
        except MlflowException as error:
            why = str(error).partition("\n")[0]
            raise NotSupported(f"MLflow at {without_password(self.uri)} does not answer: {why}") from error

    def versions(self, digest: str) -> list[str]:
        """The registered versions of the model of this digest, newest first."""
        if not self.there:
            return []
        found = self._client().search_model_versions(f"name='{self.name}' AND tags.`{_DIGEST}` = '{digest}'")
        return sorted((str(one.version) for one in found), key=int, reverse=True)

    def champion(self) -> str:
        """The digest of the version that the alias names; nothing where it names none."""
        if not self.there:
            return ""
        aliases = self._client().get_registered_model(self.name).aliases
        if ALIAS not in aliases:
            return ""
        return str(self._client().get_model_version(self.name, aliases[ALIAS]).tags.get(_DIGEST, ""))

    def words(self) -> str:
        """The sealed words that were left at the last move of the alias; nothing where there are none."""
        return str(self._client().get_registered_model(self.name).tags.get(_LEDGER, "")) if self.there else ""

    def move(self, version: str, words: str) -> None:
        """Let the alias name `version`, and leave the sealed `words` that name the ledger's entry."""
        client = self._client()
        client.set_registered_model_tag(self.name, _LEDGER, words)
        client.set_registered_model_alias(self.name, ALIAS, version)

    def remove(self, words: str) -> None:
        """Let the alias name nothing: the champion is not in this registry."""
        client = self._client()
        client.set_registered_model_tag(self.name, _LEDGER, words)
        client.delete_registered_model_alias(self.name, ALIAS)

    def _client(self) -> MlflowClient:
        return client_of(self.uri)
