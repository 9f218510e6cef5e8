"""The four variables all boards share. They filter tables and histories; the verdict tiles never listen to them."""

from .panels import DATASOURCE


def datasource():
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "refresh": 1, "hide": 0,
            "includeAll": False, "multi": False, "options": [], "regex": "", "skipUrlSync": False,
            "current": {"selected": False, "text": "Puckdrop", "value": "puckdrop-prometheus"},
            "description": "The Prometheus that has Puckdrop's rules"}


def labels(name, label, metric, description):
    return {"type": "query", "name": name, "label": label, "description": description, "datasource": DATASOURCE,
            "query": {"query": f"label_values({metric}, {name})", "refId": f"variable-{name}"},
            "definition": f"label_values({metric}, {name})", "refresh": 2, "sort": 1, "includeAll": True, "allValue": ".*",
            "multi": True, "hide": 0, "options": [], "regex": "", "skipUrlSync": False,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}


def fixed_path(path):
    return {"type": "constant", "name": "path", "label": "Path", "query": path, "hide": 2, "skipUrlSync": True,
            "description": "This board's path",
            "current": {"selected": True, "text": path, "value": path}, "options": []}


def all_of(path=None):
    state = "puckdrop:check_state"
    return {"list": [
        datasource(),
        fixed_path(path) if path else labels("path", "Path", state, "Filters tables and histories, never the verdict tiles"),
        labels("device", "Device", state, "A check that is not for a device has `any`: it leaves the table when one is picked"),
        labels("market", "Market", state, "A check that is not for a market has `any`: it leaves the table when one is picked"),
    ]}
