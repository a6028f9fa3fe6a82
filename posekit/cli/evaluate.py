"""The command `posekit evaluate`: scores of trained models or prediction files; writes such files too."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posekit.cli.common import DataOption, LspetOption, MpiiOption, SizeOption, as_json_text, named_data
from posekit.errors import PosekitError

if TYPE_CHECKING:
    import numpy as np

    from posekit.datasets.people import People
    from posekit.evaluation.evaluate import Evaluation
    from posekit.study.runs import Run

# What takes long to import is imported inside the command, so that --help answers at once.


def evaluate(
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Predictions for MPII's validation people, in its order: `preds` (2958 x 16 x 2, image px) of a "
            ".mat, .h5 or .npz file, or a .csv file with a row per person and joint."
        ),
    ] = None,
    data: DataOption = None,
    mpii: MpiiOption = None,
    lspet: LspetOption = None,
    size: SizeOption = "quick",
    model: Annotated[str | None, typer.Option(help="Only this model, by number or name.")] = None,
    seed: Annotated[int | None, typer.Option(help="Only trainings with this seed.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Instead of what is recorded: run the network of this checkpoint or .onnx file on the "
            "validation people of every data set."
        ),
    ] = None,
    flip: Annotated[
        bool,
        typer.Option("--flip", help="With --checkpoint: mean of crop and mirrored crop, as in posekit predict."),
    ] = False,
    threshold: Annotated[float, typer.Option(help="In head sizes. LSP always has 0.2 torsos.")] = 0.5,
    export: Annotated[
        Path | None,
        typer.Option(help="Write the network's predictions to this .mat (`preds`, MPII's order) or .csv file."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --export if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """PCKh of the trained models by joint or, with --predictions, of anybody's predictions for MPII."""
    _refuse_contradictions(predictions, checkpoint, model, seed, flip, export)
    if not threshold > 0:
        raise PosekitError(f"the threshold must be positive (head sizes), not {threshold:g}")
    if export is not None:  # before the network runs over everybody
        from posekit.evaluation.prediction_files import check_destination

        check_destination(export, overwrite)
    if predictions is not None:
        if mpii is None:
            raise PosekitError("--predictions needs --mpii, the folder with MPII's annotations")
        _evaluate_file(predictions, mpii, threshold, as_json)
        return

    if checkpoint is not None:
        judged = _evaluate_checkpoint(checkpoint, flip, named_data(data, mpii, lspet))
        if export is not None:
            answers, people = judged[0]
            _export(export, answers.joints, people.image, answers.confidence, overwrite, str(checkpoint))
        scores = {people.name: _all_scores(answers.distances, people, threshold) for answers, people in judged}
        if as_json:
            first, *others = scores
            print(as_json_text(scores[first] | {name: scores[name] for name in others}))
            return
        for (_, people), of_set in zip(judged, scores.values(), strict=True):
            _print_scores(of_set, people)
        return

    import pandas as pd

    from posekit.skeleton import JOINTS

    runs = _finished_runs(size, named_data(data, mpii, lspet), model, seed)
    if export is not None:
        if len(runs) > 1:
            raise PosekitError(f"--export writes one of {len(runs)} trained models: say --model and --seed")
        (run,) = runs
        confidence = run.predictions["confidence"].to_numpy(float).reshape(-1, len(JOINTS))
        _export(export, run.joints(), run.images(), confidence, overwrite, run.label)
    scores = {run.label: _scores(run.distances(), threshold) for run in runs}
    if as_json:
        print(as_json_text(scores))
        return
    if threshold == 0.5:
        scores["mean pose (no network)"] = {"weighted14": runs[0].floors["mean_pose_weighted14"]}
    print(f"PCKh@{threshold:g} in percent")
    print(pd.DataFrame(scores).drop(["threshold", "weighted14_area"]).round(1).to_string(na_rep=""))


def _export(
    path: Path, joints: "np.ndarray", images: "np.ndarray", confidence: "np.ndarray", overwrite: bool, name: str
) -> None:
    from posekit.evaluation.prediction_files import write_predictions

    write_predictions(path, joints, images, confidence, overwrite)
    print(f"posekit: wrote {path}, predictions of {name}", file=sys.stderr)


def _refuse_contradictions(
    predictions: Path | None,
    checkpoint: Path | None,
    model: str | None,
    seed: int | None,
    flip: bool,
    export: Path | None,
) -> None:
    """Raises `PosekitError` for options of which one would be ignored."""
    judged = "--predictions" if predictions is not None else "--checkpoint" if checkpoint is not None else None
    chosen = {"--model": model is not None, "--seed": seed is not None}
    if predictions is not None:
        chosen |= {"--checkpoint": checkpoint is not None, "--flip": flip, "--export": export is not None}
    if judged and (others := [option for option, said in chosen.items() if said]):
        raise PosekitError(f"{judged} alone says what is evaluated; leave out {' and '.join(others)}")
    if flip and judged is None:
        raise PosekitError("--flip needs --checkpoint: what is recorded of a training was predicted without it")


def _evaluate_file(path: Path, mpii: Path, threshold: float, as_json: bool) -> None:
    from posekit.datasets.mpii import read_mpii
    from posekit.evaluation.pckh import head_distances
    from posekit.evaluation.prediction_files import missing_joints, read_predictions

    joints, people = read_predictions(path, read_mpii(mpii).split()[1])
    if missing := missing_joints(joints, people):
        print(f"posekit: {path}: {missing}", file=sys.stderr)
    scores = _all_scores(head_distances(joints, people.joints, people.head_size), people, threshold)
    if as_json:
        print(as_json_text(scores))
    else:
        _print_scores(scores, people)


def _evaluate_checkpoint(path: Path, flip: bool, data: list[Path]) -> list[tuple["Evaluation", "People"]]:
    """A network's predictions for the validation people of each data set, the first data set's first."""
    from posekit.datasets.sources import read_people
    from posekit.device import choose_device
    from posekit.evaluation.evaluate import evaluate as evaluate_network
    from posekit.inference.predictor import Predictor
    from posekit.preprocessing.batches import make_crops

    predictor = Predictor.from_checkpoint(path, choose_device(), flip)
    people, left_out = read_people(data)
    if left_out:
        print(f"posekit: {left_out}", file=sys.stderr)
    judged = []
    for of_set in people.validation_sets():
        crops = make_crops(of_set, predictor.rule)
        how = predictor.codec, predictor.device
        answers = evaluate_network(predictor.network, crops, *how, progress=True)
        judged.append((answers, of_set))
    return judged


def _all_scores(distances: "np.ndarray", people: "People", threshold: float) -> dict[str, float]:
    """The scores of distances (N, 16), of visible and of hidden joints as well; LSP by its own threshold."""
    from posekit.evaluation.evaluate import metric_of
    from posekit.evaluation.pckh import pckh, split_by_visibility

    _, standard = metric_of(people.data_set[0])
    threshold = threshold if standard == 0.5 else standard
    scores = _scores(distances, threshold)
    for name, part in split_by_visibility(distances, people.visible).items():
        scores[f"weighted14_{name}"] = pckh(part, threshold).weighted14
    return scores


def _print_scores(scores: dict[str, float], people: "People") -> None:
    from posekit.evaluation.evaluate import metric_of

    metric = metric_of(people.data_set[0])[0].split("@")[0]
    print(f"{metric}@{scores['threshold']:g} in percent, {len(people)} people of {people.name}")
    for name, value in list(scores.items())[1:]:
        print(f"  {name:20s} {value:6.2f}")


def _scores(distances: "np.ndarray", threshold: float) -> dict[str, float]:
    """The JSON for distances (N, 16): three means, interval and area (0 to 0.5) of weighted14, joints."""
    from posekit.evaluation.intervals import interval
    from posekit.evaluation.pckh import pckh, pckh_curve
    from posekit.skeleton import GROUPS, JOINTS

    score, of_people = pckh(distances, threshold), interval(distances, "weighted14", threshold)
    return {
        "threshold": threshold,
        "macro14": score.macro14,
        "weighted14": score.weighted14,
        "weighted16": score.weighted16,
        "weighted12": score.mean("weighted12"),
        "weighted14_low": of_people.low,
        "weighted14_high": of_people.high,
        "weighted14_area": pckh_curve(distances).area("weighted14"),
    } | {name: score.mean(name) for name in (*GROUPS, *JOINTS)}


def _finished_runs(size: str, data: list[Path], model: str | None, seed: int | None) -> list["Run"]:
    """The recorded runs of a study; `PosekitError` if there are none, before any data are made for it."""
    from posekit.paths import records_folder
    from posekit.study.configurations import get_model, get_size
    from posekit.study.runs import read_runs
    from posekit.study.study import Study

    get_size(size)
    name = get_model(model).name if model is not None else None
    drawn = records_folder() / f"sample-{size}"
    folder = Study(size, data).records if data else drawn
    runs = read_runs(folder)
    if not runs:
        raise PosekitError(f"there are no finished runs in {folder}; try posekit study first")
    chosen = [run for run in runs if name in (None, run.config.model) and seed in (None, run.config.seed)]
    if not chosen:
        wanted = " and ".join(
            f"{name} {value}" for name, value in (("model", model), ("seed", seed)) if value is not None
        )
        raise PosekitError(f"there is no finished run of {wanted} in {folder}; try posekit train first")
    return chosen
