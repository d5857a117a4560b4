package config

import (
	"slices"
	"testing"
)

func TestARunningProcessTakesUpReloadableSettingsOnly(t *testing.T) {
	running := Default()
	next, err := load(t, "", map[string]string{
		"TIDEMARK_GATEWAY_CORS_ORIGINS": "https://a.example", "TIDEMARK_GATEWAY_LISTEN": ":9", "TIDEMARK_NATS_URL": "nats://u:new@a",
	}, "--gateway.rate-limit=7")
	if err != nil {
		t.Fatal(err)
	}
	adopted, changed, waiting := running.Adopt(next)
	if !slices.Equal(changed, []string{"gateway.rateLimit", "gateway.corsOrigins"}) || !slices.Equal(waiting, []string{"nats.url", "gateway.listen"}) {
		t.Errorf("changed %v, waiting %v", changed, waiting)
	}
	g := adopted.Gateway
	if g.RateLimit != 7 || !slices.Equal(g.CORSOrigins, []string{"https://a.example"}) || g.Listen != running.Gateway.Listen || adopted.NATS != running.NATS {
		t.Errorf("%+v", adopted)
	}
	if rows := adopted.Settings("gateway.rateLimit", "gateway.listen"); rows[0].Source != "default" || rows[1].Source != "flag --gateway.rate-limit" {
		t.Errorf("%+v", rows)
	}
	if running.Gateway.RateLimit != 20 || running.sources != nil {
		t.Error("what was running has changed")
	}
	if _, changed, waiting := adopted.Adopt(next); changed != nil || !slices.Equal(waiting, []string{"nats.url", "gateway.listen"}) {
		t.Errorf("again: changed %v, waiting %v", changed, waiting)
	}
}

func TestASecretThatIsPrintedAlikeHasChangedAllTheSame(t *testing.T) {
	one, other := Default(), Default()
	one.NATS.URL, other.NATS.URL = "nats://u:one@a", "nats://u:two@a"
	if _, _, waiting := one.Adopt(other); !slices.Equal(waiting, []string{"nats.url"}) {
		t.Errorf("waiting %v", waiting)
	}
}

func TestReloadableSettingsAreThoseThatServicesTakeUp(t *testing.T) {
	var keys []string
	for _, row := range Default().Settings() {
		if row.Reloadable {
			keys = append(keys, row.Key)
		}
	}
	want := []string{
		"gateway.cert", "gateway.key", "gateway.rateLimit", "gateway.userRateLimit", "gateway.requestRateLimit",
		"gateway.maxConnections", "gateway.addressLimit", "gateway.userLimit", "gateway.corsOrigins",
		"auth.secret", "auth.jwks", "auth.refresh", "auth.issuer", "auth.audience", "auth.leeway", "auth.required", "log.level",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
}
