package sh.fazt.link;

/** {@code host:port}, with an IPv6 host in brackets. Immutable. */
public record HostPort(String host, int port) {
    /**
     * Reads one.
     *
     * @throws IllegalArgumentException saying what an address looks like
     */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        String bare = bracketed ? host.substring(1, host.length() - 1) : host;
        int port = colon < 0 ? -1 : number(text.substring(colon + 1));
        if (bare.isEmpty() || bare.length() > 253 || port < 1 || port > 65535 || (!bracketed && bare.contains(":"))) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is no address of a swarm port: expected host:port, as 192.168.1.5:5698 or [fe80::1]:5698");
        }
        return new HostPort(bare, port);
    }

    private static int number(String digits) {
        return digits.matches("[0-9]{1,5}") ? Integer.parseInt(digits) : -1;
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
