package sh.fazt.discovery;

import java.time.Duration;

/** One way of asking a router for a port. Blocking; confined to one thread at a time. */
interface PortMapper {
    /**
     * Asks for the outer TCP port to lead to ours, or renews that.
     *
     * @param wanted the outer port if it is free
     */
    Mapping map(int port, int wanted, Duration lease) throws MappingException;

    /** Takes it back. */
    void unmap(int port, int external) throws MappingException;
}
