"""SIO-EV-09: two hundred events of one client, each answered by one."""
from raw import connected, judge

ROUNDS = 10
wrong = 0
for _ in range(ROUNDS):
    client = connected()
    client.send_at_once(*(f'42["message",{n}]' for n in range(200)))
    numbers = []
    while len(numbers) < 200 and (message := client.until("message-back", within=5)):
        numbers.append(int(message.split(",")[1].strip("] ")))
    client.drop()
    if numbers != sorted(numbers):
        place = next(index for index in range(1, len(numbers)) if numbers[index] < numbers[index - 1])
        judge(False, "", f"the answer to {numbers[place]} comes after that to {numbers[place - 1]}")
judge(True, f"the order is kept, {ROUNDS} times", "")
