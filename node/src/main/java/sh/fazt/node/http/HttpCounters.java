package sh.fazt.node.http;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What the HTTP surface counts, for health and metrics. Thread-safe. */
final class HttpCounters {
    final AtomicInteger connections = new AtomicInteger();
    final LongAdder ready = new LongAdder();
    final LongAdder handled = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder overloaded = new LongAdder();
    final LongAdder timedOut = new LongAdder();
    /** Bytes of bodies that are collected in memory. */
    final AtomicLong collected = new AtomicLong();
}
