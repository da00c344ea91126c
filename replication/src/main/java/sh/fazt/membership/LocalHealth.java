package sh.fazt.membership;

/**
 * How far this node doubts itself (Lifeguard's local health multiplier): one that misses answers, is late
 * itself or has to refute is more likely at fault than the others, and waits longer before it accuses.
 */
final class LocalHealth {
    private final int max;
    private int score;

    LocalHealth(int max) {
        this.max = max;
    }

    int score() {
        return score;
    }

    void worse(int by) {
        score = Math.min(max, score + by);
    }

    void better() {
        score = Math.max(0, score - 1);
    }

    long stretch(long nanos) {
        return nanos * (score + 1);
    }
}
