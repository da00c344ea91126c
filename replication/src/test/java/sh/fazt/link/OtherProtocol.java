package sh.fazt.link;

/** Links of a fazt that speaks other protocols than this one, also for tests in other rooms. */
public final class OtherProtocol {
    private OtherProtocol() {}

    /** Links that are not started. */
    public static GrpcLinks links(LinkConfig config, int oldest, int newest) {
        return new GrpcLinks(config, new Protocols(oldest, newest));
    }
}
