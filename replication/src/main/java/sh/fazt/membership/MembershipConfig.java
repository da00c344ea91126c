package sh.fazt.membership;

import java.time.Duration;

/**
 * The constants of membership. Immutable.
 *
 * @param probePeriod      how often one member is asked whether it is there
 * @param probeTimeout     how long its answer may take before others are asked to ask it
 * @param indirectProbes   how many others are asked
 * @param linkDownTimeout  how long a member whose link broke has, to be reached by way of others
 * @param suspicionMin     how long a suspect has to refute when enough others suspect it too, for up to 10
 *     members; grows with the logarithm of their number
 * @param suspicionFactor  how many times longer when nobody confirms
 * @param confirmations    how many confirmations bring the time down to the minimum
 * @param gossipPeriod     how often news is told, while there is news
 * @param gossipFanout     to how many
 * @param retransmitFactor a piece of news is told this often times the logarithm of the number of members
 * @param gossipBytes      how many bytes of news ride on one message
 * @param exchangePeriod   how often everything is compared with one other member
 * @param awayPeriod       the same of a node that sleeps
 * @param deadProbePeriod  how often one dead member is asked whether it is back
 * @param healthMax        how far the multiplier of a node that doubts itself can rise
 * @param lateness         how late this node's own thread may be before it doubts itself
 */
public record MembershipConfig(
        Duration probePeriod,
        Duration probeTimeout,
        int indirectProbes,
        Duration linkDownTimeout,
        Duration suspicionMin,
        int suspicionFactor,
        int confirmations,
        Duration gossipPeriod,
        int gossipFanout,
        int retransmitFactor,
        int gossipBytes,
        Duration exchangePeriod,
        Duration awayPeriod,
        Duration deadProbePeriod,
        int healthMax,
        Duration lateness) {

    public MembershipConfig {
        positive("probe period", probePeriod);
        positive("probe timeout", probeTimeout);
        positive("link down timeout", linkDownTimeout);
        positive("suspicion minimum", suspicionMin);
        positive("gossip period", gossipPeriod);
        positive("exchange period", exchangePeriod);
        positive("away period", awayPeriod);
        positive("dead probe period", deadProbePeriod);
        positive("lateness", lateness);
        if (probeTimeout.compareTo(probePeriod) >= 0) {
            throw new IllegalArgumentException("the probe timeout " + probeTimeout + " has to be below the period "
                    + probePeriod + ", or no time is left to ask others");
        }
        if (indirectProbes < 0 || suspicionFactor < 1 || confirmations < 0 || gossipFanout < 1) {
            throw new IllegalArgumentException("counts have to be positive: indirect probes " + indirectProbes
                    + ", suspicion factor " + suspicionFactor + ", confirmations " + confirmations + ", fan-out "
                    + gossipFanout);
        }
        if (retransmitFactor < 1 || gossipBytes < 512 || healthMax < 0) {
            throw new IllegalArgumentException(
                    "retransmit factor " + retransmitFactor + " has to be at least 1, gossip bytes " + gossipBytes
                            + " at least 512, health maximum " + healthMax + " at least 0");
        }
    }

    /** For nodes in one house: a crash is known to all within about four seconds. */
    public static MembershipConfig lan() {
        return new MembershipConfig(
                Duration.ofSeconds(1),
                Duration.ofMillis(500),
                3,
                Duration.ofMillis(250),
                Duration.ofSeconds(3),
                6,
                3,
                Duration.ofMillis(200),
                3,
                4,
                4096,
                Duration.ofSeconds(30),
                Duration.ofMinutes(15),
                Duration.ofSeconds(10),
                8,
                Duration.ofMillis(200));
    }

    /** For nodes across the world, behind slow and sleepy lines. */
    public static MembershipConfig wan() {
        return new MembershipConfig(
                Duration.ofSeconds(5),
                Duration.ofSeconds(3),
                3,
                Duration.ofSeconds(2),
                Duration.ofSeconds(10),
                6,
                3,
                Duration.ofMillis(500),
                4,
                4,
                4096,
                Duration.ofSeconds(60),
                Duration.ofMinutes(15),
                Duration.ofSeconds(60),
                8,
                Duration.ofMillis(500));
    }

    private static void positive(String what, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException("the " + what + " has to be positive, not " + duration);
        }
    }
}
