# needs: python3-networkx python3-decorator
# packages: networkx
"""A routing service on graphs: algorithms by name, generators, readers and
writers of many formats, views, a graph class of our own, errors."""
import copy
import io
import pickle

import networkx as nx
import networkx.algorithms.approximation as approx
import networkx.algorithms.isomorphism as iso
from networkx.algorithms import bipartite, community
from networkx.algorithms.flow import edmonds_karp, preflow_push
from networkx.classes.graphviews import subgraph_view
from networkx.exception import NetworkXNoPath, NodeNotFound
from networkx.readwrite import json_graph
from networkx.utils import pairwise, open_file


class Road(nx.DiGraph):
    """A directed graph that counts what was added."""

    def __init__(self, *args, **kwargs):
        self.added = 0
        super().__init__(*args, **kwargs)

    def add_edge(self, u, v, **attr):
        self.added += 1
        super().add_edge(u, v, **attr)


@open_file(0, mode="w")
def dump(target, text):
    target.write(text)


def routes():
    g = Road()
    for u, v, w in [("a", "b", 1), ("b", "c", 2), ("a", "c", 5), ("c", "d", 1)]:
        g.add_edge(u, v, weight=w, capacity=w)
    for method in ("dijkstra", "bellman-ford"):
        print(method, nx.shortest_path(g, "a", "d", "weight", method=method))
    print(nx.astar_path(g, "a", "d"), nx.astar_path_length(g, "a", "d"))
    for flow in (edmonds_karp, preflow_push):
        print(nx.maximum_flow_value(g, "a", "d", flow_func=flow))
    print(list(nx.topological_sort(g)), nx.is_directed_acyclic_graph(g),
          list(pairwise("abc")), g.added, type(g.subgraph("ab")).__name__)
    for bad in (("d", "a"), ("z", "a")):
        try:
            nx.shortest_path(g, *bad)
        except (NetworkXNoPath, NodeNotFound) as error:
            print(type(error).__name__, error)
    try:
        nx.find_cycle(g)
    except nx.exception.NetworkXNoCycle as error:
        print(error)
    return g


def formats(g):
    for kind in ("gml", "graphml", "pajek", "adjlist"):
        out = io.BytesIO()
        getattr(nx, "write_" + kind)(nx.path_graph(3), out)
        out.seek(0)
        print(kind, len(getattr(nx, "read_" + kind)(out)))
    for kind in ("node_link", "adjacency", "cytoscape"):
        data = getattr(json_graph, kind + "_data")(nx.DiGraph(g))
        print(kind, sorted(map(str, data)))
    print(nx.to_dict_of_lists(g), nx.parse_edgelist(["1 2", "2 3"]),
          nx.to_graph6_bytes(nx.path_graph(3)))
    out = io.StringIO()
    dump(out, "written")
    print(out.getvalue(), nx.nx_agraph.__name__, nx.drawing.layout.__name__)


road = routes()
formats(road)
k = nx.karate_club_graph()
print(len(k), nx.density(k), nx.transitivity(k),
      [len(c) for c in community.greedy_modularity_communities(k)],
      len(approx.min_weighted_vertex_cover(k)) > 0)
for name in ("degree_centrality", "betweenness_centrality",
             "closeness_centrality", "clustering", "core_number"):
    values = getattr(nx, name)(k)
    print(name, round(values[0], 4))
print(iso.GraphMatcher(nx.cycle_graph(4), nx.cycle_graph(4)).is_isomorphic(),
      nx.is_isomorphic(nx.star_graph(3), nx.path_graph(4)))
b = nx.complete_bipartite_graph(2, 3)
print(bipartite.sets(b), len(nx.bipartite.maximum_matching(b)))
for tree in ("kruskal", "prim", "boruvka"):
    print(tree, nx.minimum_spanning_tree(k, algorithm=tree).size())
print(sorted(nx.strongly_connected_components(road), key=min),
      nx.greedy_color(nx.cycle_graph(5)), list(nx.find_cliques(b))[:1])
view = subgraph_view(k, filter_node=lambda node: node < 5)
print(sorted(view), nx.freeze(copy.deepcopy(nx.path_graph(2))),
      pickle.loads(pickle.dumps(nx.MultiGraph([(1, 2), (1, 2)]))).size())
print(nx.gnp_random_graph(6, 0.5, seed=4).size(), nx.barabasi_albert_graph(
    8, 2, seed=1).size(), nx.LCF_graph(14, [5, -5], 7).order())
try:
    nx.freeze(nx.path_graph(2)).add_node(9)
except nx.NetworkXError as error:
    print(error)
