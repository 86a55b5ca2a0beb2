"""EIO-HTTP-04, EIO-HTTP-05: a poll and a POST for a session that is not known."""
from raw import judge, request

answers = [request("GET", "EIO=4&transport=polling&sid=nope", within=3), request("POST", "EIO=4&transport=polling&sid=nope", "40", within=3)]
told = [str(answer.status) if answer else "no answer" for answer in answers]
judge(told == ["400", "400"], "status 400, twice", f"the poll gets {told[0]}, the POST {told[1]}")
