package sh.fazt.discovery;

import java.net.InetAddress;
import java.time.Duration;

/**
 * What a router has agreed to. Immutable.
 *
 * @param protocol {@code PCP}, {@code NAT-PMP} or {@code UPnP}
 * @param external the router's address outside
 * @param port     its port there that leads to ours
 * @param lease    how long it will; zero for ever
 */
record Mapping(String protocol, InetAddress external, int port, Duration lease) {}
