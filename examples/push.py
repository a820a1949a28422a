# Push a message with BullMQ's own Python package. pip install bullmq, then
#   REDIS_URL=redis://127.0.0.1:6379 python examples/push.py
import asyncio
import os

from bullmq import Queue


async def main():
    queue = Queue("mail", {"connection": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")})
    message = {
        "from": "Contoso <noreply@contoso.com>",
        "to": "taro@example.jp",
        "subject": "Your order 17",
        "text": "Thank you for your order.",
        "metadata": {"orderId": 17},
    }
    job = await queue.add("message", message, {"priority": 30})
    print("queued as job", job.id)
    await queue.close()


asyncio.run(main())
