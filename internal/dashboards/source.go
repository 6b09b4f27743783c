package dashboards

// A Connection is how Grafana reaches the InfluxDB that Telegraf writes to.
type Connection struct {
	URL            string
	Database       string // with Flux the bucket, of a 1.8 database/retention policy
	Org            string // of Flux
	User, Password string
	Token          string
}

// DataSource is what the dashboards and the alert rules of a language ask, as
// Grafana's API takes it. grafana/provisioning holds the same in a file.
func DataSource(l Language, c Connection) map[string]any {
	source := map[string]any{"type": "influxdb", "access": "proxy", "url": c.URL}
	settings, secrets := map[string]any{"timeInterval": "10s"}, map[string]any{}
	if l == Flux {
		source["name"], source["uid"] = "InfluxDB-Flux", "influxdb-flux"
		settings["version"], settings["organization"], settings["defaultBucket"] = "Flux", c.Org, c.Database
		secret(secrets, "token", c.Token)
	} else {
		source["name"], source["uid"], source["user"] = "InfluxDB-InfluxQL", sourceUID, c.User
		source["database"] = c.Database // an old Grafana wants it here, a new one below
		settings["dbName"], settings["httpMode"] = c.Database, "POST"
		secret(secrets, "password", c.Password)
		if c.Token != "" { // an InfluxDB 2 or 3 asked in InfluxQL
			settings["httpHeaderName1"] = "Authorization"
			secret(secrets, "httpHeaderValue1", "Token "+c.Token)
		}
	}
	source["jsonData"], source["secureJsonData"] = settings, secrets
	return source
}

func secret(secrets map[string]any, name, value string) {
	if value != "" {
		secrets[name] = value
	}
}
