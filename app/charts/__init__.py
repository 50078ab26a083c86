"""Charts as plain values: DataFrames in; drawings of the search tree, ECharts options and Plotly figures out.

Rows keep their order whatever is chosen, so that a click always means the same node: drawings restyle, they never drop
or reorder. Text colours are left to the page's theme. Every meaning that has a colour also has a shape or a dash.
"""
