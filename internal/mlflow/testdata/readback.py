"""Prints, as JSON, what MLflow's own client finds of an uploaded run and its model.

Usage: readback.py TRACKING_URI RUN_ID MODEL_NAME ALIAS
"""

import json
import pathlib
import sys
import tempfile

import mlflow
from mlflow.models import Model


def files(folder):
    root = pathlib.Path(folder)
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def describe(client, run):
    history = {
        key: [[m.step, m.timestamp, repr(m.value)] for m in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "start": run.info.start_time,
        "end": run.info.end_time,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": history,
        "datasets": [
            {
                "name": i.dataset.name,
                "digest": i.dataset.digest,
                "source": mlflow.data.get_source(i.dataset).uri,
                "context": {t.key: t.value for t in i.tags}["mlflow.data.context"],
            }
            for i in run.inputs.dataset_inputs
        ],
    }


def describe_model(client, name, alias):
    version = client.get_model_version_by_alias(name, alias)
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(f"models:/{name}@{alias}", dst_path=folder)
        found = files(path)
        model = Model.load(path)
    out = {
        "version": version.version,
        "versions": len(client.search_model_versions(f"name = '{name}'")),
        "aliases": list(version.aliases),
        "run_id": version.run_id,
        "source": version.source,
        "status": version.status,
        "description": version.description,
        "files": {name: text for name, text in found.items() if name not in ("MLmodel", "registered_model_meta")},
        "flavors": model.flavors,
        "metadata": model.metadata,
        "inputs": [[c.name, c.type.name] for c in model.signature.inputs],
        "outputs": [[c.name, c.type.name] for c in model.signature.outputs],
        "mlmodel_run_id": model.run_id,
    }
    if version.source.startswith("models:/"):
        logged = client.get_logged_model(version.source.removeprefix("models:/"))
        out["logged"] = {"status": str(logged.status), "run_id": logged.source_run_id, "tags": dict(logged.tags)}
    return out


def main(uri, run_id, name, alias):
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    with tempfile.TemporaryDirectory() as folder:
        mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=folder)
        artifacts = files(folder)
    children = client.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'", order_by=["attributes.run_name"]
    )
    outputs = getattr(run, "outputs", None)
    json.dump(
        {
            "mlflow": mlflow.__version__,
            "experiment": client.get_experiment(run.info.experiment_id).name,
            "run": describe(client, run),
            "artifacts": artifacts,
            "children": [describe(client, c) for c in children],
            "outputs": [o.model_id for o in outputs.model_outputs] if outputs else [],
            "model": describe_model(client, name, alias),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
