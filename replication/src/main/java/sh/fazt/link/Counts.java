package sh.fazt.link;

import java.util.concurrent.atomic.LongAdder;

/** The counters behind {@link LinkCounters}. Thread-safe. */
final class Counts {
    final LongAdder accepted = new LongAdder();
    final LongAdder authenticated = new LongAdder();
    final LongAdder turnedAway = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder unknownFrames = new LongAdder();
    final LongAdder badFrames = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder relayed = new LongAdder();
    final LongAdder moved = new LongAdder();
    final LongAdder forgedBooks = new LongAdder();
    final LongAdder linksUp = new LongAdder();
    final LongAdder linksDown = new LongAdder();

    LinkCounters snapshot() {
        return new LinkCounters(
                accepted.sum(),
                authenticated.sum(),
                turnedAway.sum(),
                refused.sum(),
                unknownFrames.sum(),
                badFrames.sum(),
                dropped.sum(),
                linksUp.sum(),
                linksDown.sum(),
                relayed.sum(),
                moved.sum(),
                forgedBooks.sum());
    }
}
