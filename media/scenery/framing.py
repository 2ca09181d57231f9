"""Which shot a description asks for and how the camera moves, read from shot words in English, German, French and Spanish."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+")

SHOTS: dict[str, str] = {
    "establishing": (
        "establishing_shot wide_establishing extreme_wide opening_shot closing_shot "
        "gesamteinstellung eröffnungseinstellung panoramaeinstellung schlusseinstellung totale "
        "plan_d_ensemble plan_de_situation plan_général plan_final plan_d_ouverture "
        "plano_general gran_plano_general plano_de_situación plano_final plano_de_apertura"
    ),
    "wide": (
        "wide_shot long_shot full_shot wide_angle weite_einstellung halbtotale weitwinkel plan_large "
        "plan_de_demi_ensemble plano_entero "
        "plano_abierto plano_amplio"
    ),
    "medium": (
        "medium_shot mid_shot waist_shot medium_close_up cowboy_shot halbnahe halbnah "
        "amerikanische_einstellung mittlere_einstellung "
        "plan_moyen plan_américain plan_taille plano_medio plano_americano"
    ),
    "close": (
        "close_up closeup close_shot portrait_shot nahaufnahme großaufnahme grossaufnahme gros_plan "
        "plan_rapproché primer_plano primerísimo_plano"
    ),
    "detail": (
        "detail_shot extreme_close_up insert_shot macro_shot detailaufnahme makroaufnahme très_gros_plan "
        "plan_de_détail plan_détail "
        "plano_detalle plano_de_detalle"
    ),
    "low": (
        "low_angle low_angle_shot from_below worm_s_eye untersicht froschperspektive von_unten contre_plongée "
        "vu_d_en_bas contrapicado "
        "desde_abajo ángulo_bajo"
    ),
    "high": (
        "high_angle high_angle_shot bird_s_eye from_above overhead_shot vogelperspektive aufsicht von_oben plongée vu_d_en_haut "
        "vue_d_en_haut picado desde_arriba ángulo_alto"
    ),
    "tracking": (
        "tracking_shot dolly_shot following_shot camera_follows tracks_alongside verfolgungsfahrt kamerafahrt "
        "mitfahrt parallelfahrt "
        "kamera_folgt travelling plan_de_suivi caméra_suit plano_de_seguimiento cámara_sigue"
    ),
    "behind": (
        "from_behind over_the_shoulder silhouette rückenansicht von_hinten über_die_schulter schattenriss de_dos en_silhouette "
        "par_dessus_l_épaule de_espaldas silueta a_contraluz"
    ),
}
"""A shot's words; an underscore joins words that must stand together."""

MOVES: dict[str, str] = {
    "push": (
        "push_in pushes_in push_forward moves_closer comes_closer dolly_in zoom_in zooms_in fährt_heran "
        "kommt_näher zufahrt heranfahrt "
        "zoomt_heran avance_lentement s_approche travelling_avant se_acerca acercamiento avanza_despacio"
    ),
    "pull": (
        "pull_back pulls_back pull_out dolly_out zoom_out moves_away draws_back fährt_zurück rückfahrt "
        "zoomt_heraus entfernt_sich recule s_éloigne "
        "travelling_arrière se_aleja retrocede"
    ),
    "pan": (
        "pan pans panning pan_left pan_right sweeps_across schwenkt schwenk kameraschwenk panoramique pivote "
        "panorámica gira_despacio"
    ),
    "tilt": (
        "tilt_up tilts_up tilt_upward rises_slowly looks_up neigt_sich_nach_oben schwenkt_nach_oben "
        "steigt_langsam bascule_vers_le_haut s_élève "
        "sube_despacio se_eleva se_inclina_hacia_arriba"
    ),
    "drop": (
        "tilt_down tilts_down slow_descent descends sinks_slowly schwenkt_nach_unten sinkt_langsam "
        "bascule_vers_le_bas descend desciende "
        "baja_despacio"
    ),
    "still": (
        "static_shot still_camera locked_off camera_rests feste_kamera kamera_ruht plan_fixe caméra_fixe "
        "cámara_fija plano_fijo"
    ),
}

ORDINARY = ("wide", "medium", "establishing", "medium")
"""Shots of descriptions that name none, by the description."""

_MOVE_OF = {
    "establishing": "push",
    "wide": "pan",
    "medium": "push",
    "close": "push",
    "detail": "pan",
    "low": "tilt",
    "high": "drop",
    "tracking": "still",
    "behind": "pull",
}


@dataclass(frozen=True, slots=True)
class Framing:
    """A shot and a camera move."""

    shot: str
    move: str
    named: bool = True
    """Whether the description named the shot."""


def framing_of(text: str, chance: int = 0) -> Framing:
    """The shot that is named first and the first move; without a shot one by ``chance``, without a move the shot's usual one."""
    words = [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text[:4000]))]
    shot = _first(words, _SHOT_TABLE)
    move = _first(words, _MOVE_TABLE)
    chosen = shot or ORDINARY[chance % len(ORDINARY)]
    return Framing(chosen, move or _MOVE_OF[chosen], bool(shot))


def _first(words: list[str], table: dict[tuple[str, ...], str]) -> str:
    for start in range(len(words)):
        for length in (5, 4, 3, 2, 1):
            found = table.get(tuple(words[start : start + length]))
            if found:
                return found
    return ""


def _keys(table: dict[str, str]) -> dict[tuple[str, ...], str]:
    return {tuple(entry.casefold().split("_")): value for value, words in table.items() for entry in words.split()}


_SHOT_TABLE, _MOVE_TABLE = _keys(SHOTS), _keys(MOVES)
