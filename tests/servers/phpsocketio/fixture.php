<?php
// The fixture contract on phpsocket.io, a translation of an early Socket.IO server for Workerman. It has one kind of room operator and
// no middleware of namespaces, so that /guard is missing.
require_once __DIR__ . '/vendor/autoload.php';

use PHPSocketIO\SocketIO;
use Workerman\Worker;

$io = new SocketIO((int) getenv('PORT'), ['pingInterval' => 300, 'pingTimeout' => 200]);

/** Takes the acknowledgement off the arguments; whoever asks for none gets none. */
function on($socket, string $event, callable $handler): void
{
    $socket->on($event, function (...$args) use ($handler) {
        $ack = is_callable(end($args)) ? array_pop($args) : function () {
        };
        $handler($args, $ack);
    });
}

$setUp = function ($socket) use ($io) {
    $socket->emit('auth', (object) []);
    $socket->on('message', function (...$args) use ($socket) {
        $socket->emit('message-back', ...$args);
    });
    on($socket, 'message-with-ack', function (array $args, callable $ack) {
        $ack(...$args);
    });
    on($socket, 't:join', function (array $args, callable $ack) use ($socket) {
        foreach ((array) $args[0] as $room) {
            $socket->join($room);
        }
        $ack(array_keys($socket->rooms));
    });
    on($socket, 't:leave', function (array $args, callable $ack) use ($socket) {
        $socket->leave($args[0]);
        $ack(array_keys($socket->rooms));
    });
    on($socket, 't:cast', function (array $args, callable $ack) use ($socket) {
        [$target, $event, $values] = $args;
        $operator = ($target['from'] ?? '') === 'io' ? $socket->nsp : $socket->broadcast;
        foreach ($target['to'] ?? [] as $room) {
            $operator = $operator->to($room);
        }
        $operator->emit($event, ...$values);
        $ack();
    });
    on($socket, 't:bye', function (array $args, callable $ack) use ($socket) {
        $ack();
        $socket->disconnect($args[0]);
    });
};

$io->on('connection', $setUp);
$io->of('/custom')->on('connection', $setUp);
Worker::runAll();
