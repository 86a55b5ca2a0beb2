"""EIO-HTTP-07: a preflight request."""
from raw import judge, request, tell

asked = {"Origin": "http://page.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-colour"}
answer = request("OPTIONS", "EIO=4&transport=polling", headers=asked)
told = {name: value for name, value in sorted(answer.headers.items()) if name.startswith("access-control")}
tell("<", str(told))
lacking = [name for name in ["origin", "methods", "headers"] if f"access-control-allow-{name}" not in told]
judge(
    answer.status in (200, 204) and not lacking,
    "origin, methods and headers are allowed",
    f"status {answer.status}, without " + ", ".join(f"Access-Control-Allow-{name.title()}" for name in lacking),
)
