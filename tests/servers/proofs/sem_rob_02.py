"""SEM-ROB-02: twenty sessions whose clients are never heard of again."""
import time

from raw import Polling, judge

clients = [Polling() for _ in range(20)]
handshake = clients[-1].handshake
time.sleep((handshake["pingInterval"] + handshake["pingTimeout"]) / 1000 + 1)
answers = [client.poll(within=3) for client in clients]
left = sum(answer is None or answer.status != 400 for answer in answers)
judge(not left, "they are unknown 1 s after pingInterval + pingTimeout", f"{left} of 20 are still there 1 s after pingInterval + pingTimeout")
