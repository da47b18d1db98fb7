# needs: python3-requests python3-urllib3
# packages: urllib3
"""Headers are kept in a class of urllib3's that is reached by its attributes,
as those do who get urllib3 through requests and import none of its modules."""
import requests


class Headers(requests.packages.urllib3._collections.HTTPHeaderDict):
    def first(self, name):
        return self.getlist(name)[0]


headers = Headers({"Accept": "text/plain"})
headers.add("accept", "text/html")
headers["X-Request"] = "7"
print(sorted(headers.items()))
print(headers.first("ACCEPT"), headers.getlist("accept"))
print(isinstance(headers, requests.packages.urllib3._collections.
                 HTTPHeaderDict))
url = requests.packages.urllib3.util.parse_url("https://a.example:8443/b?c=d")
print(url.host, url.port, url.path, url.query)
retry = requests.packages.urllib3.util.retry.Retry(3, backoff_factor=0.5)
print(retry.total, retry.is_retry("GET", 503), retry.get_backoff_time())
