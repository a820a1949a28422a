<?php

// Push a message with BullMQ's own PHP client (PHP 8.1), installed as its page says: https://docs.bullmq.io/php/introduction
//   REDIS_URL=redis://127.0.0.1:6379 php examples/push.php
require __DIR__ . '/vendor/autoload.php';

use BullMQ\Queue;

$queue = new Queue('mail', ['connection' => getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379']);
$message = [
    'from' => 'Contoso <noreply@contoso.com>',
    'to' => 'taro@example.jp',
    'subject' => 'Your order 17',
    'text' => 'Thank you for your order.',
    'metadata' => ['orderId' => 17],
];
$job = $queue->add('message', $message, ['priority' => 30]);
echo 'queued as job ' . $job->id . "\n";
