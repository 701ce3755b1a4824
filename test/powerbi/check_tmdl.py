"""Loads the model's folder with Microsoft's own TMDL parser: check_tmdl.py <program> <folder> <number of measures>."""

import json
import queue
import subprocess
import sys
import threading

program, folder, measures = sys.argv[1:]
server = subprocess.Popen([program, "--start"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
lines: queue.Queue[str] = queue.Queue()
threading.Thread(target=lambda: [lines.put(line) for line in server.stdout], daemon=True).start()


def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def call(number, method, params):
    send({"id": number, "method": method, "params": params})
    while True:
        answer = json.loads(lines.get(timeout=120))
        if answer.get("id") == number:
            return answer["result"]


try:
    client = {"name": "pizza-sales", "version": "1"}
    call(1, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
    send({"method": "notifications/initialized"})
    request = {"request": {"operation": "ConnectFolder", "folderPath": folder}}
    result = call(2, "tools/call", {"name": "connection_operations", "arguments": request})
finally:
    server.kill()
text = result["content"][0]["text"]
if result["isError"] or json.loads(text)["data"]["measuresLoaded"] != int(measures):
    print(f"Microsoft's TMDL parser: {text}", file=sys.stderr)
    sys.exit(1)
print(f"Microsoft's TMDL parser reads the model: {measures} measures")
