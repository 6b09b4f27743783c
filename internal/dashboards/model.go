package dashboards

// The classic dashboard JSON, as far as it is used here.
// https://github.com/grafana/grafana/blob/main/kinds/dashboard/dashboard_kind.cue

// Dashboard is one file.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Version       int         `json:"version"`
	Editable      bool        `json:"editable"`
	Timezone      string      `json:"timezone"`
	GraphTooltip  int         `json:"graphTooltip"`
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Links         []Link      `json:"links"`
	Templating    Variables   `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what a dashboard shows at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Link leads to the other dashboards.
type Link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	TargetBlank bool     `json:"targetBlank"`
	URL         string   `json:"url"`
}

// Variables are the drop-downs.
type Variables struct {
	List []Variable `json:"list"`
}

// Variable is a data source or a query for values.
type Variable struct {
	Name        string     `json:"name"`
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Type        string     `json:"type"`
	Query       any        `json:"query"`
	Regex       string     `json:"regex,omitempty"`
	Datasource  *Source    `json:"datasource,omitempty"`
	Refresh     int        `json:"refresh"`
	Sort        int        `json:"sort,omitempty"`
	Multi       bool       `json:"multi"`
	IncludeAll  bool       `json:"includeAll"`
	AllValue    string     `json:"allValue,omitempty"`
	Current     *Selection `json:"current,omitempty"`
}

// Selection is what a variable is set to.
type Selection struct {
	Text  any `json:"text"`
	Value any `json:"value"`
}

// Source says where data comes from.
type Source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Annotations mark moments in every panel.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation is a query for such moments.
type Annotation struct {
	Name       string      `json:"name"`
	Enable     bool        `json:"enable"`
	Hide       bool        `json:"hide"`
	IconColor  string      `json:"iconColor"`
	Datasource Source      `json:"datasource"`
	BuiltIn    int         `json:"builtIn,omitempty"`
	Type       string      `json:"type,omitempty"`
	Query      string      `json:"query,omitempty"`
	TextColumn string      `json:"textColumn,omitempty"`
	TagsColumn string      `json:"tagsColumn,omitempty"`
	Target     *Annotating `json:"target,omitempty"`
}

// Annotating is a query in the shape that the editor of annotations keeps it.
type Annotating struct {
	RefID      string `json:"refId"`
	Query      string `json:"query"`
	RawQuery   bool   `json:"rawQuery,omitempty"`
	TextEditor bool   `json:"textEditor,omitempty"`
	TextColumn string `json:"textColumn,omitempty"`
	TagsColumn string `json:"tagsColumn,omitempty"`
}

// Panel is one picture.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description"`
	GridPos         Grid             `json:"gridPos"`
	Datasource      Source           `json:"datasource"`
	Targets         []Target         `json:"targets"`
	FieldConfig     FieldConfig      `json:"fieldConfig"`
	Options         map[string]any   `json:"options"`
	Transformations []Transformation `json:"transformations,omitempty"`
}

// Grid is a place on 24 columns.
type Grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is a panel's query.
type Target struct {
	RefID        string `json:"refId"`
	Datasource   Source `json:"datasource"`
	Query        string `json:"query"`
	RawQuery     bool   `json:"rawQuery,omitempty"`
	ResultFormat string `json:"resultFormat,omitempty"`
	Alias        string `json:"alias,omitempty"`
}

// FieldConfig says how values look.
type FieldConfig struct {
	Defaults  Defaults   `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Defaults hold for all fields of a panel.
type Defaults struct {
	Unit        string         `json:"unit"`
	Decimals    *int           `json:"decimals,omitempty"`
	Min         *float64       `json:"min,omitempty"`
	Max         *float64       `json:"max,omitempty"`
	NoValue     string         `json:"noValue"`
	DisplayName string         `json:"displayName,omitempty"`
	Color       map[string]any `json:"color"`
	Thresholds  Thresholds     `json:"thresholds"`
	Mappings    []Mapping      `json:"mappings"`
	Links       []DataLink     `json:"links,omitempty"`
	Custom      map[string]any `json:"custom,omitempty"`
}

// Thresholds colour values.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is a colour from a value on; nil stands for the lowest.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Mapping says what values mean.
type Mapping struct {
	Type    string             `json:"type"`
	Options map[string]Meaning `json:"options"`
}

// Meaning is how one value is shown.
type Meaning struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

// DataLink leads from a value to a dashboard.
type DataLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Override changes the defaults for some fields.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher selects fields.
type Matcher struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

// Property is a setting of a field.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Transformation changes results before they are shown.
type Transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
