package sh.fazt.link;

/**
 * Below what no end of a link may be.
 *
 * @param own    the schema level of this node's release
 * @param agreed the one that its swarm has agreed on
 */
record SchemaLevels(int own, int agreed) {}
