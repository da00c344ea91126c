package sh.fazt.runtime;

/**
 * A moment of the runtime, for health and metrics. Immutable.
 *
 * @param running invocations that run now
 * @param waiting invocations that wait for a worker
 * @param realms live global scopes, idle ones included
 * @param apps apps that have at least one
 * @param workers live {@code js-N} threads
 * @param invocations ever started
 * @param stopped ever ended by their budget
 * @param abandoned workers that did not stop in time and were replaced
 * @param refused invocations ever refused because too many waited
 */
public record RuntimeStatus(
        int running,
        int waiting,
        int realms,
        int apps,
        int workers,
        long invocations,
        long stopped,
        long abandoned,
        long refused) {}
