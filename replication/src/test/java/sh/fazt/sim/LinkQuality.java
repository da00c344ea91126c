package sh.fazt.sim;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How good the way from one node to another is. Immutable.
 *
 * @param latencyMin the quickest a message arrives
 * @param latencyMax the slowest; most are near the minimum, few near the maximum
 * @param drop      chance that a message is lost while the link stays up: silently on the control lane, else the lane
 *     gives it up and the sender hears so at its deadline
 * @param duplicate chance that a message (never a request) arrives twice
 * @param breaks    chance, per message, that the link breaks and loses what is in flight both ways
 * @param silence   how long nothing may come back before the link counts as broken
 * @param rate      bytes a second of one channel, one way: what is sent faster waits at the sender; 0 for no limit
 */
public record LinkQuality(
        Duration latencyMin,
        Duration latencyMax,
        double drop,
        double duplicate,
        double breaks,
        Duration silence,
        int rate) {
    public LinkQuality {
        if (rate < 0) {
            throw new IllegalArgumentException("a rate is 0 or more bytes a second, not " + rate);
        }
        if (latencyMin.isNegative() || latencyMax.compareTo(latencyMin) < 0) {
            throw new IllegalArgumentException(
                    "latency has to be 0 <= min <= max, not " + latencyMin + " to " + latencyMax);
        }
    }

    /** 0.2 to 3 ms, nothing lost. */
    public static LinkQuality lan() {
        return new LinkQuality(Duration.ofNanos(200_000), Duration.ofMillis(3), 0, 0, 0, Duration.ofSeconds(5), 0);
    }

    /** 20 to 150 ms, nothing lost. */
    public static LinkQuality wan() {
        return new LinkQuality(Duration.ofMillis(20), Duration.ofMillis(150), 0, 0, 0, Duration.ofSeconds(15), 0);
    }

    public LinkQuality withDrop(double chance) {
        return new LinkQuality(latencyMin, latencyMax, chance, duplicate, breaks, silence, rate);
    }

    public LinkQuality withDuplicate(double chance) {
        return new LinkQuality(latencyMin, latencyMax, drop, chance, breaks, silence, rate);
    }

    public LinkQuality withBreaks(double chance) {
        return new LinkQuality(latencyMin, latencyMax, drop, duplicate, chance, silence, rate);
    }

    public LinkQuality withLatency(Duration min, Duration max) {
        return new LinkQuality(min, max, drop, duplicate, breaks, silence, rate);
    }

    public LinkQuality withRate(int bytesPerSecond) {
        return new LinkQuality(latencyMin, latencyMax, drop, duplicate, breaks, silence, bytesPerSecond);
    }

    long latencyNanos(RandomGenerator random) {
        double x = random.nextDouble();
        double skewed = x * x * x;
        return latencyMin.toNanos() + (long) (skewed * (latencyMax.toNanos() - latencyMin.toNanos()));
    }
}
