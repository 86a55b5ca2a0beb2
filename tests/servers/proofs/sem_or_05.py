"""SEM-OR-05: twenty events over long-polling, an upgrade, and twenty over the WebSocket, each answered by one."""
from raw import Polling, WebSocket, judge_order

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


judge_order(ROUNDS, answers)
