package sh.fazt.sync;

/**
 * What sync has done with one peer since the start. Immutable.
 *
 * @param pushed      changesets sent
 * @param dropped     changesets that were not, for want of room: they became a vector
 * @param received    changesets that came
 * @param pulls       pulls from it that ended well
 * @param failedPulls pulls from it that did not
 * @param blobBytes   bytes of blobs that came from it
 * @param offences    what it did that no honest member does, breaches of the link's rules aside
 * @param forged      times that it had handed in what its writer says it never wrote
 */
public record PeerCounters(
        long pushed,
        long dropped,
        long received,
        long pulls,
        long failedPulls,
        long blobBytes,
        long offences,
        long forged) {
    static final PeerCounters NONE = new PeerCounters(0, 0, 0, 0, 0, 0, 0, 0);
}
