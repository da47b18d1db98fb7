import json
from .base import fmt

fmt("json")(json.dumps)
