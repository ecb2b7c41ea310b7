package convert

import (
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// composeShapes says which shapes values have that are carried by functions of their own: s for a single value, l for a
// list, m for a map. An asterisk is any key that does not stand here, [] an entry of a list.
const composeShapes = `
name s
services m
services.* m
services.*.blkio_config m
services.*.blkio_config.* sl
services.*.blkio_config.*[] m
services.*.blkio_config.*[].* s
services.*.credential_spec m
services.*.credential_spec.* s
services.*.depends_on lm
services.*.depends_on[] s
services.*.depends_on.* m
services.*.depends_on.*.* s
services.*.deploy m
services.*.deploy.replicas s
services.*.deploy.resources m
services.*.deploy.resources.* m
services.*.deploy.resources.*.* s
services.*.deploy.resources.*.devices l
services.*.deploy.resources.*.devices[] m
services.*.deploy.resources.*.generic_resources l
services.*.deploy.restart_policy m
services.*.deploy.restart_policy.* s
services.*.devices l
services.*.devices[] sm
services.*.devices[].* s
services.*.env_file slm
services.*.env_file[] sm
services.*.env_file[].* s
services.*.env_file.* s
services.*.extends sm
services.*.extends.* s
services.*.extra_hosts slm
services.*.extra_hosts[] s
services.*.extra_hosts.* sl
services.*.extra_hosts.*[] s
services.*.gpus sl
services.*.gpus[] m
services.*.gpus[].count s
services.*.gpus[].device_ids l
services.*.healthcheck m
services.*.healthcheck.* s
services.*.healthcheck.test sl
services.*.healthcheck.test[] s
services.*.image s
services.*.ipc s
services.*.logging m
services.*.logging.driver s
services.*.logging.options m
services.*.network_mode s
services.*.networks lm
services.*.networks[] s
services.*.networks.* m
services.*.pid s
services.*.ports l
services.*.ports[] sm
services.*.ports[].* s
services.*.pull_policy s
services.*.restart s
services.*.scale s
services.*.secrets l
services.*.secrets[] sm
services.*.secrets[].* s
services.*.configs l
services.*.configs[] sm
services.*.configs[].* s
services.*.stop_grace_period s
services.*.ulimits m
services.*.ulimits.* sm
services.*.ulimits.*.* s
services.*.volumes l
services.*.volumes[] sm
services.*.volumes[].* s
services.*.volumes[].bind m
services.*.volumes[].bind.* s
services.*.volumes[].volume m
services.*.volumes[].image m
services.*.volumes[].tmpfs m
services.*.volumes[].tmpfs.* s
services.*.volumes_from l
networks m
networks.* m
networks.*.driver s
networks.*.driver_opts m
networks.*.ipam m
networks.*.ipam.driver s
networks.*.ipam.config l
networks.*.ipam.config[] m
volumes m
volumes.* m
volumes.*.driver_opts m
secrets m
secrets.* m
secrets.*.file s
configs m
configs.* m
configs.*.file s
`

var shapes = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(composeShapes) {
		if path, kinds, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			m[path] = kinds
		}
	}
	return m
})

// straighten removes values of the wrong shape and reports them, so that the functions behind it find what they expect.
func (c *composer) straighten(path string, n *manifest.Node) {
	n.Items = slices.DeleteFunc(n.Items, func(item *manifest.Node) bool { return !c.fits(path+"[]", item, item.Range) })
	n.Entries = slices.DeleteFunc(n.Entries, func(e manifest.Entry) bool {
		return !c.fits(below(path, e.Key), e.Value, e.KeyRange)
	})
}

// below is the path of a key in the table of shapes.
func below(path, key string) string {
	own := strings.TrimPrefix(path+"."+key, ".")
	if _, ok := shapes()[own]; ok || path == "" {
		return own
	}
	return path + ".*"
}

func (c *composer) fits(path string, n *manifest.Node, at diag.Range) bool {
	kinds, known := shapes()[path]
	if kind := map[manifest.Kind]string{manifest.Scalar: "s", manifest.List: "l", manifest.Map: "m"}[n.Kind]; known && !strings.Contains(kinds, kind) {
		c.lose(at, "not carried").WithHelp("compose has %s here", shapeWords[kinds])
		return false
	}
	c.straighten(path, n)
	return true
}

var shapeWords = map[string]string{
	"s": "a single value", "l": "a list", "m": "a map", "sl": "a single value or a list", "sm": "a single value or a map",
	"lm": "a list or a map", "slm": "a single value, a list or a map",
}
