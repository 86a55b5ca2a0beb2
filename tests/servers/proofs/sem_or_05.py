"""SEM-OR-05: twenty events over long-polling, an upgrade, and twenty over the WebSocket, each answered by one."""
import contextlib
import io

from raw import Polling, WebSocket, judge

ROUNDS = 20


def numbers_in(packets):
    return [int(packet.split(",")[1].strip("] ")) for packet in packets if "message-back" in packet]


def answers():
    client = Polling()
    client.connect()
    client.post("\x1e".join(f'42["message",{n}]' for n in range(20)))
    upgraded = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
    upgraded.send("2probe")
    upgraded.until("3probe")
    seen = []
    while len(seen) < 20 and (answer := client.poll(within=1)) and answer.status == 200:
        if "6" in answer.packets:
            break
        if "2" in answer.packets:
            client.post("3")
        seen += numbers_in(answer.packets)
    upgraded.send("5")
    upgraded.send_at_once(*(f'42["message",{n}]' for n in range(20, 40)))
    while len(seen) < 40 and (message := upgraded.until("message-back", within=5)):
        seen += numbers_in([message])
    upgraded.drop()
    return seen


for _ in range(ROUNDS):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        seen = answers()
    if seen != sorted(seen):
        print(told.getvalue(), end="")
        place = next(index for index in range(1, len(seen)) if seen[index] < seen[index - 1])
        judge(False, "", f"the answer to {seen[place]} comes after that to {seen[place - 1]}")
judge(True, f"the order is kept, {ROUNDS} times", "")
